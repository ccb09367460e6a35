module shop/payments

go 1.19
