DROP INDEX event_by_organisation;
DROP TRIGGER chained ON event;
DROP FUNCTION link_event();
DROP FUNCTION event_text(event);
DROP FUNCTION event_field(text);
DROP TABLE event_link;
