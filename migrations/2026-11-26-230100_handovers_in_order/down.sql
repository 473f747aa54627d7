DROP INDEX handover_in_order;
