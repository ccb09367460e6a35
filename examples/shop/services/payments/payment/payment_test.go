package payment

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestAKeyChargesOnce(t *testing.T) {
	book := NewBook()
	request := Request{OrderID: "1", AmountCents: 690}
	first, isNew, err := book.Charge("key", request)
	if err != nil || !isNew {
		t.Fatalf("got %v %v %v", first, isNew, err)
	}
	second, isNew, err := book.Charge("key", request)
	if err != nil || isNew || second != first {
		t.Fatalf("got %v %v %v, want %v again", second, isNew, err, first)
	}
}

func TestAKeyIsForOneCharge(t *testing.T) {
	book := NewBook()
	if _, _, err := book.Charge("key", Request{"1", 690}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := book.Charge("key", Request{"1", 691}); !errors.Is(err, ErrConflict) {
		t.Fatalf("got %v", err)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	for _, c := range []struct {
		key     string
		request Request
		want    error
	}{
		{"", Request{"1", 1}, ErrKey},
		{strings.Repeat("k", 101), Request{"1", 1}, ErrKey},
		{"k", Request{"", 1}, ErrOrder},
		{"k", Request{"1", 0}, ErrAmount},
		{"k", Request{"1", -5}, ErrAmount},
		{"k", Request{"1", 1e12}, ErrAmount},
	} {
		if _, _, err := NewBook().Charge(c.key, c.request); !errors.Is(err, c.want) {
			t.Errorf("%v: got %v, want %v", c, err, c.want)
		}
	}
}

func TestPaymentsMadeAtOnceAreAllDifferent(t *testing.T) {
	book, ids := NewBook(), sync.Map{}
	var group sync.WaitGroup
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func(key string) {
			defer group.Done()
			made, _, _ := book.Charge(key, Request{key, 1})
			if _, seen := ids.LoadOrStore(made.ID, key); seen {
				t.Errorf("%s was given twice", made.ID)
			}
		}(fmt.Sprint(i))
	}
	group.Wait()
}

func TestTheBookForgetsTheOldest(t *testing.T) {
	book := NewBook()
	for i := 0; i <= bookMax; i++ {
		if _, _, err := book.Charge(fmt.Sprint(i), Request{"1", 1}); err != nil {
			t.Fatal(err)
		}
	}
	if len(book.payments) != bookMax {
		t.Fatalf("%d payments are kept", len(book.payments))
	}
	if _, isNew, _ := book.Charge("0", Request{"1", 1}); !isNew {
		t.Fatal("the oldest key is still known")
	}
}
