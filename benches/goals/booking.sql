-- What the server sends to make a booking, in its order and one at a time, for pgbench.
--
-- Made from the log of a PostgreSQL with log_statement = all, on which a server (STAYGATE_WORKERS=false) had made two bookings of one
-- guest: from the BEGIN to the COMMIT of the second. What the server reads around it, to see who is asking and to answer, is not
-- here. Where the transaction changes, make it again so.
--
-- Variables: n=0; base, a date from which on nobody has a night; first, the least key of a property; properties, how many there are,
-- their keys without a gap; guest, the least key of as many guests as there are clients. Each client books other nights.
\set slot :n * 32 + :client_id
\set n :n + 1
\set property :first + :slot % :properties
\set night :slot / :properties
BEGIN;
SELECT property_id, host_id, title, description, location, latitude, longitude, price_per_night, cleaning_fee, max_guests, status, instant_book, cancellation_policy, min_nights, max_nights, advance_notice_days, preparation_days, time_zone, rating_sum, review_count, rating_hundredths, created_at, updated_at, deleted_at FROM properties WHERE property_id = :property LIMIT 1 FOR KEY SHARE \gset p_
SELECT booking_id, property_id, guest_id, host_id, check_in_date, check_out_date, guests, total_price, price, status, cancellation_reason, instant_book, cancellation_policy, time_zone, expires_at, refund_limit, review_removed_at, created_at FROM bookings WHERE status = 'PENDING' AND expires_at <= now() AND booking_id IN (SELECT booking_id FROM nights WHERE property_id = :property AND night >= :base::date + :night::int AND night < :base::date + :night::int + 1) ORDER BY booking_id;
SELECT nights.property_id, night, nights.booking_id, kind FROM nights LEFT JOIN bookings ON bookings.booking_id = nights.booking_id WHERE night >= :base::date + :night::int - 30 AND night < :base::date + :night::int + 31 AND (nights.booking_id IS NULL OR bookings.status <> 'PENDING' OR bookings.expires_at > now()) AND nights.property_id IN (:property);
SELECT property_id, night, price FROM night_prices WHERE property_id IN (:property) AND night >= :base::date + :night::int AND night < :base::date + :night::int + 1;
INSERT INTO bookings (property_id, guest_id, host_id, check_in_date, check_out_date, guests, total_price, price, status, cancellation_reason, instant_book, cancellation_policy, time_zone, expires_at, refund_limit, review_removed_at, created_at) VALUES (:property, :guest::int + :client_id::int, :p_host_id, :base::date + :night::int, :base::date + :night::int + 1, 1, 331.00, '{"lines": [{"kind": "NIGHTS", "amount": 31100, "description": "1 night"}, {"kind": "CLEANING_FEE", "amount": 2000, "description": "Cleaning"}], "nights": [31100]}', 'PENDING', NULL, true, 'MODERATE', 'America/Chicago', now() + interval '15 minutes', NULL, NULL, now()) RETURNING booking_id, property_id, guest_id, host_id, check_in_date, check_out_date, guests, total_price, price, status, cancellation_reason, instant_book, cancellation_policy, time_zone, expires_at, refund_limit, review_removed_at, created_at \gset b_
INSERT INTO nights (property_id, night, booking_id, kind) VALUES (:property, :base::date + :night::int, :b_booking_id, 'BOOKING');
SELECT pg_advisory_xact_lock(7829874);
INSERT INTO booking_events (booking_id, guest_id, host_id, from_status, to_status, created_at) VALUES (:b_booking_id, :guest::int + :client_id::int, :p_host_id, NULL, 'PENDING', now());
INSERT INTO jobs (kind, payload, attempts, due_at, created_at, given_up_at, failure) VALUES ('mail', '{"Booking": {"news": "Held", "reader": "Guest", "booking_id": 50026}}', 0, now(), now(), NULL, NULL);
SELECT head_id, audit_id, hash FROM audit_head WHERE head_id = 1 LIMIT 1 FOR UPDATE \gset a_
INSERT INTO audit_entries (audit_id, created_at, actor_id, action, subject, outcome, detail, ip_address, user_agent, request_id, hash) VALUES (:a_audit_id + 1, now(), :guest::int + :client_id::int, 'booking.created', 'booking:50026', 'DONE', NULL, '127.0.0.1', 'curl/7.88.1', '50f5d8eb-379a-489a-9826-324504344df3', '398ae6e7aa420332317c047acf39df7f768bdaf76f55e00fa883ac78c994ceab');
UPDATE audit_head SET audit_id = :a_audit_id + 1, hash = '398ae6e7aa420332317c047acf39df7f768bdaf76f55e00fa883ac78c994ceab';
COMMIT;
