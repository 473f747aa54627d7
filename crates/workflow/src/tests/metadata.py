"""Reads what describes a release as its readers do, and says what is wrong with it."""
import json
import os
import sys

import csvw
import frictionless
import rdflib

folder = sys.argv[1]
os.chdir(folder)

report = frictionless.Package("datapackage.json").validate()
assert report.valid, report.flatten(["rowNumber", "fieldNumber", "type", "message"])
assert [task.labels for task in report.tasks], "no table was read"

read = csvw.CSVW("csv-metadata.json")
assert read.is_valid, "not valid as CSV on the Web"
tables = read.to_json()["tables"]
n_rows = sum(len(table["row"]) for table in tables)

graph = rdflib.Graph().parse("dcat.jsonld", format="json-ld")
dcat = rdflib.Namespace("http://www.w3.org/ns/dcat#")
(dataset,) = graph.subjects(rdflib.RDF.type, dcat.Dataset)
files = list(graph.objects(dataset, dcat.distribution))
(begins,) = graph.objects(None, dcat.startDate)
print(json.dumps({"rows": n_rows, "files": len(files), "begins": str(begins)}))
