CREATE TABLE items (
    sku         text PRIMARY KEY,
    name        text NOT NULL,
    price_cents integer NOT NULL CHECK (price_cents > 0)
);

INSERT INTO items (sku, name, price_cents) VALUES
    ('assam-100',    'Assam, 100 g',            690),
    ('darjeeling-50', 'Darjeeling first flush, 50 g', 1290),
    ('sencha-100',   'Sencha, 100 g',           980),
    ('teapot-12',    'Teapot, 1.2 l',          3450);
