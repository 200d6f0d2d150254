-- A few seconds of inserts, indices, joins and aggregates in memory.
PRAGMA journal_mode = OFF;
PRAGMA temp_store = MEMORY;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, category INTEGER);
CREATE TABLE sale (id INTEGER PRIMARY KEY, item INTEGER, amount INTEGER, day INTEGER);
INSERT INTO item
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  SELECT i, printf('item %d of %x', i, i * 2654435761 % 65521), (i * 37 % 1000) / 10.0, i % 50 FROM n;
INSERT INTO sale
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
  SELECT i, 1 + i * 7919 % 20000, 1 + i % 9, i % 365 FROM n;
CREATE INDEX sale_item ON sale (item);
CREATE INDEX item_name ON item (name);
SELECT category, count(*), sum(amount * price) FROM sale JOIN item ON item.id = sale.item
  GROUP BY category ORDER BY 3 DESC LIMIT 5;
SELECT day, total FROM (SELECT day, sum(amount) AS total FROM sale GROUP BY day) ORDER BY total DESC, day LIMIT 5;
SELECT count(*) FROM item WHERE name LIKE '%ab%' OR name GLOB '*9?7*';
SELECT sum(length(a.name) + length(b.name)) FROM item a JOIN item b ON b.id = a.id * 3 % 20000 + 1;
UPDATE sale SET amount = amount + 1 WHERE item IN (SELECT id FROM item WHERE category < 25);
DELETE FROM sale WHERE day BETWEEN 100 AND 200;
SELECT count(*), sum(amount) FROM sale;
