DROP TABLE extension_decision;
DROP TABLE extension;
