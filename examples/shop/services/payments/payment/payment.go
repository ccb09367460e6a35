// Package payment says what a payment is and remembers those that were made.
package payment

import (
	"container/list"
	"errors"
	"fmt"
	"sync"
)

const (
	amountMax = 100_000_000
	keyMax    = 100
	bookMax   = 100_000
)

// Request asks for a charge.
type Request struct {
	OrderID     string `json:"order_id"`
	AmountCents int64  `json:"amount_cents"`
}

// Payment is a charge that was made.
type Payment struct {
	ID          string `json:"id"`
	OrderID     string `json:"order_id"`
	AmountCents int64  `json:"amount_cents"`
}

// Errors of Charge.
var (
	ErrKey      = fmt.Errorf("an idempotency key has 1 to %d characters", keyMax)
	ErrOrder    = errors.New("order_id is missing")
	ErrAmount   = fmt.Errorf("amount_cents is a whole number from 1 to %d", amountMax)
	ErrConflict = errors.New("the idempotency key was used for another charge")
)

// Book remembers the newest payments by idempotency key.
type Book struct {
	mutex    sync.Mutex
	payments map[string]Payment
	keys     *list.List // oldest first
	next     int
}

// NewBook returns an empty book.
func NewBook() *Book {
	return &Book{payments: make(map[string]Payment), keys: list.New()}
}

// Charge makes a payment, or returns the one that the key has made before.
// The flag tells whether it is new.
func (b *Book) Charge(key string, request Request) (Payment, bool, error) {
	if err := check(key, request); err != nil {
		return Payment{}, false, err
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if made, ok := b.payments[key]; ok {
		if made.OrderID != request.OrderID || made.AmountCents != request.AmountCents {
			return Payment{}, false, ErrConflict
		}
		return made, false, nil
	}
	if b.keys.Len() == bookMax {
		delete(b.payments, b.keys.Remove(b.keys.Front()).(string))
	}
	b.next++
	made := Payment{fmt.Sprintf("pay-%d", b.next), request.OrderID, request.AmountCents}
	b.payments[key] = made
	b.keys.PushBack(key)
	return made, true, nil
}

func check(key string, request Request) error {
	switch {
	case key == "" || len(key) > keyMax:
		return ErrKey
	case request.OrderID == "":
		return ErrOrder
	case request.AmountCents < 1 || request.AmountCents > amountMax:
		return ErrAmount
	}
	return nil
}
