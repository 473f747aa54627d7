DROP TABLE marked_workbook;
