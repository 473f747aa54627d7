DROP TABLE collection_finding, collection_check_member, collection_check;
