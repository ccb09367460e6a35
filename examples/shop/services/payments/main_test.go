package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"shop/payments/server"
)

// The program as it is deployed: built, started, charged and stopped.
func TestTheProgramChargesOnceAndStopsCleanly(t *testing.T) {
	program := filepath.Join(t.TempDir(), "payments")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	port := freePort(t)
	command := exec.Command(program)
	command.Env = append(os.Environ(), "PORT="+port)
	command.Stdout = os.Stdout
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Process.Kill() }()
	url := "http://127.0.0.1:" + port
	waitFor(t, url+"/healthz")

	for _, want := range []int{http.StatusCreated, http.StatusOK} {
		body := strings.NewReader(`{"order_id": "1", "amount_cents": 690}`)
		request, _ := http.NewRequest("POST", url+"/payments", body)
		request.Header.Set("Idempotency-Key", "order-1")
		response, err := http.DefaultClient.Do(request)
		if err != nil || response.StatusCode != want {
			t.Fatalf("got %v %v, want %d", response, err, want)
		}
		response.Body.Close()
		if got := response.Header.Get("X-Service-Version"); got != strings.TrimSpace(version) {
			t.Fatalf("got version %q", got)
		}
	}
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	listener, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	return address[strings.LastIndex(address, ":")+1:]
}

func waitFor(t *testing.T, url string) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if response, err := http.Get(url); err == nil {
			response.Body.Close()
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Fatalf("%s does not answer", url)
}
