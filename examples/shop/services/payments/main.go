// Payments charges cards. It stands in for a provider: it knows no card, but
// never charges twice for one idempotency key.
package main

import (
	_ "embed"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"shop/payments/payment"
	"shop/payments/server"
)

//go:embed version.txt
var version string

func main() {
	log := server.NewLog(os.Stdout)
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := server.Listen(":" + port)
	if err != nil {
		log.Error("could not listen", "error", err.Error())
		os.Exit(1)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)

	api := server.API(payment.NewBook())
	log.Info("started", "version", strings.TrimSpace(version), "port", port)
	server.New(api, strings.TrimSpace(version), log).ServeUntil(listener, stop)
	log.Info("stopped")
}
