package server

import (
	"encoding/json"
	"errors"
	"net/http"

	"shop/payments/payment"
)

const bodyMax = 64 << 10

// API is the HTTP interface of a book of payments.
func API(book *payment.Book) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(health, func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("/payments", func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			problem(w, http.StatusMethodNotAllowed, "payments are made with POST")
			return
		}
		charge(w, r, book)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "there is no "+r.URL.Path)
	})
	return mux
}

func charge(w http.ResponseWriter, r *http.Request, book *payment.Book) {
	var request payment.Request
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, bodyMax))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		problem(w, http.StatusBadRequest, "the body is not a payment: "+err.Error())
		return
	}
	made, isNew, err := book.Charge(r.Header.Get("Idempotency-Key"), request)
	switch {
	case errors.Is(err, payment.ErrConflict):
		problem(w, http.StatusConflict, err.Error())
	case err != nil:
		problem(w, http.StatusUnprocessableEntity, err.Error())
	case isNew:
		answer(w, http.StatusCreated, made)
	default:
		answer(w, http.StatusOK, made)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	write(w, status, body)
}

func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	write(w, status, map[string]any{"status": status, "detail": detail})
}

func write(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	// The client may be gone; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(body)
}
