package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"shop/payments/payment"
)

func post(body, key string) *httptest.ResponseRecorder {
	request := httptest.NewRequest("POST", "/payments", strings.NewReader(body))
	request.Header.Set("Idempotency-Key", key)
	response := httptest.NewRecorder()
	API(payment.NewBook()).ServeHTTP(response, request)
	return response
}

func TestAnswersOfTheAPI(t *testing.T) {
	for _, c := range []struct {
		body, key string
		status    int
	}{
		{`{"order_id": "1", "amount_cents": 690}`, "k", 201},
		{`{"order_id": "1", "amount_cents": 690}`, "", 422},
		{`{"order_id": "1", "amount_cents": 0}`, "k", 422},
		{`{"order_id": "1", "cents": 690}`, "k", 400},
		{`not json`, "k", 400},
	} {
		if got := post(c.body, c.key); got.Code != c.status {
			t.Errorf("%s: got %d %s, want %d", c.body, got.Code, got.Body, c.status)
		}
	}
}

func TestStoppingFinishesWhatIsInFlight(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entered <- true
		<-leave
		_, _ = io.WriteString(w, "done")
	})
	listener, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan os.Signal, 1), make(chan bool)
	server := New(slow, "1.2.3", NewLog(io.Discard))
	go func() {
		server.ServeUntil(listener, stop)
		close(stopped)
	}()

	answer := make(chan string)
	go func() {
		response, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		body, _ := io.ReadAll(response.Body)
		answer <- response.Header.Get("X-Service-Version") + " " + string(body)
	}()
	<-entered
	stop <- os.Interrupt
	select {
	case <-stopped:
		t.Fatal("it stopped with a request in flight")
	case <-time.After(quietTime + 200*time.Millisecond):
	}
	leave <- true
	if got := <-answer; got != "1.2.3 done" {
		t.Fatalf("got %q", got)
	}
	<-stopped
}
