DROP TABLE reference_values;
