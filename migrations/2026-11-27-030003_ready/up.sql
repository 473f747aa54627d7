-- Whoever serves can see whether the tables are those that it needs.

GRANT SELECT ON __diesel_schema_migrations TO lgdp_app;
