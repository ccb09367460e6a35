CREATE TABLE orders (
    id          uuid PRIMARY KEY,
    sku         text NOT NULL,
    name        text NOT NULL,
    quantity    integer NOT NULL CHECK (quantity > 0),
    total_cents bigint NOT NULL,
    payment_id  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    announced   boolean NOT NULL DEFAULT false
);

CREATE INDEX orders_by_time ON orders (created_at);
CREATE INDEX orders_to_announce ON orders (created_at) WHERE NOT announced;
