DROP TABLE extension_decided_anew;
