-- The outbox: written in the same transaction as the business data, so that a record is sent if and only if that
-- transaction commits. Columns are those of Debezium's outbox event router, which can take its place later.
CREATE TABLE IF NOT EXISTS outbox (
  -- The order of publishing. Rows of one aggregate follow each other when its writers lock it, as they should.
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Goes with the record as the header `id`: by this, consumers know what they have seen.
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  aggregatetype text NOT NULL,
  aggregateid text NOT NULL,
  type text NOT NULL,
  payload jsonb NOT NULL
);

-- Rows that Kafka refuses for good, such as one that is too large. Somebody has to look at them.
CREATE TABLE IF NOT EXISTS outbox_refused (
  seq bigint PRIMARY KEY,
  id uuid NOT NULL,
  aggregatetype text NOT NULL,
  aggregateid text NOT NULL,
  type text NOT NULL,
  payload jsonb NOT NULL,
  reason text NOT NULL
);

CREATE OR REPLACE FUNCTION outbox_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NOTIFY outbox;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER outbox_notify AFTER INSERT ON outbox
  FOR EACH STATEMENT EXECUTE FUNCTION outbox_notify();
