-- 100,000 customers with 20,000 child contacts, about 600,000 confirmed orders and 2,000,000 lines,
-- straight into the tables of a database with the addon installed: volume, not realism.
\set ON_ERROR_STOP on
SELECT setseed(0.42);

INSERT INTO product_category (name, complete_name, parent_path, create_uid, write_uid, create_date, write_date)
SELECT 'Bench ' || i, 'Bench ' || i, '0/', 1, 1, now(), now() FROM generate_series(1, 20) i;
UPDATE product_category SET parent_path = id || '/' WHERE name LIKE 'Bench %';

INSERT INTO product_template (name, type, service_tracking, uom_id, categ_id, list_price, active, sale_ok,
                              create_uid, write_uid, create_date, write_date)
SELECT jsonb_build_object('en_US', 'Bench product ' || i), 'consu', 'no', (SELECT min(id) FROM uom_uom),
       (SELECT min(id) FROM product_category WHERE name LIKE 'Bench %') + i % 20, 5 + i % 90, TRUE, TRUE,
       1, 1, now(), now()
  FROM generate_series(1, 500) i;
INSERT INTO product_product (product_tmpl_id, active, create_uid, write_uid, create_date, write_date)
SELECT id, TRUE, 1, 1, now(), now() FROM product_template WHERE name ->> 'en_US' LIKE 'Bench product %';

INSERT INTO res_partner (name, complete_name, is_company, active, type, lang, color, autopost_bills, customer_rank,
                         industry_id, create_uid, write_uid, create_date, write_date)
SELECT 'Bench customer ' || i, 'Bench customer ' || i, TRUE, TRUE, 'contact', 'en_US', i % 11, 'ask', 1,
       (SELECT min(id) FROM res_partner_industry) + i % 5, 1, 1, now(), now()
  FROM generate_series(1, 100000) i;
UPDATE res_partner SET commercial_partner_id = id WHERE name LIKE 'Bench customer %';
INSERT INTO res_partner (name, complete_name, parent_id, commercial_partner_id, is_company, active, type, lang,
                         autopost_bills, create_uid, write_uid, create_date, write_date)
SELECT 'Bench contact', name || ', Bench contact', id, id, FALSE, TRUE, 'contact', 'en_US', 'ask', 1, 1, now(), now()
  FROM res_partner WHERE name LIKE 'Bench customer %' ORDER BY id LIMIT 20000;

CREATE TEMPORARY TABLE bench_customer AS
SELECT id, row_number() OVER (ORDER BY id) AS rank,
       1 + floor(-ln(1 - random()) * 5.5)::int AS orders,
       (random() * 1000)::int AS first_day, random() AS stay
  FROM res_partner WHERE name LIKE 'Bench customer %';

INSERT INTO sale_order (name, partner_id, partner_invoice_id, partner_shipping_id, company_id, currency_id,
                        currency_rate, state, date_order, amount_untaxed, amount_tax, amount_total, invoice_status,
                        locked, create_uid, write_uid, create_date, write_date)
SELECT 'B' || row_number() OVER (), c.id, c.id, c.id, 1, (SELECT currency_id FROM res_company WHERE id = 1),
       1, 'sale',
       now() - ((1000 - c.first_day) * (1 - c.stay * CASE WHEN k = 1 THEN 0 ELSE random() END)) * interval '1 day',
       0, 0, 0, 'to invoice', FALSE, 1, 1, now(), now()
  FROM bench_customer c, generate_series(1, c.orders) k;

INSERT INTO sale_order_line (order_id, order_partner_id, company_id, currency_id, product_id, product_uom_id, name,
                             product_uom_qty, price_unit, discount, price_subtotal, price_total, state,
                             customer_lead, is_downpayment, is_expense, invoice_status, sequence,
                             create_uid, write_uid, create_date, write_date)
SELECT o.id, o.partner_id, 1, o.currency_id, p.id, (SELECT min(id) FROM uom_uom), 'Bench', 1, v.price, v.discount,
       round(v.price * (1 - v.discount / 100), 2), round(v.price * (1 - v.discount / 100), 2), 'sale',
       0, FALSE, FALSE, 'to invoice', 10, 1, 1, now(), now()
  FROM sale_order o
  CROSS JOIN LATERAL generate_series(1, 1 + (o.id::bigint * 7919 % 6)::int) k
  CROSS JOIN LATERAL (SELECT round((5 + o.id::bigint * k % 95)::numeric, 2) AS price, (o.id::bigint * k % 4) * 5.0 AS discount) v
  JOIN product_product p ON p.id = (SELECT min(id) FROM product_product) + (o.id::bigint * k % 500)
 WHERE o.name LIKE 'B%';

UPDATE sale_order o SET amount_untaxed = s.amount, amount_total = s.amount
  FROM (SELECT order_id, sum(price_subtotal) AS amount FROM sale_order_line GROUP BY order_id) s
 WHERE s.order_id = o.id;
VACUUM ANALYZE;
SELECT (SELECT count(*) FROM res_partner) AS partners, (SELECT count(*) FROM sale_order) AS orders,
       (SELECT count(*) FROM sale_order_line) AS lines;
