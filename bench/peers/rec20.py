"""What REC20 asks of each column, for the peers."""

COUNCILS = [f"S120000{n:02}" for n in range(5, 37)]
# name: (kind, required, constraint)
COLUMNS = {
    "RECORD_ID": ("text", True, {"pattern": r"^R[0-9]{8}$"}),
    "CLIENT_ID": ("text", True, {"pattern": r"^C[0-9]{7}$"}),
    "WORKER_ID": ("text", False, {"pattern": r"^W[0-9]{5}$"}),
    "COUNCIL": ("text", True, {"enum": COUNCILS}),
    "SERVICE": ("text", True, {"enum": list("12345")}),
    "OUTCOME": ("text", False, {"enum": [f"{n:02}" for n in range(1, 13)]}),
    "GROUP": ("text", True, {"enum": [f"G{n:02}" for n in range(1, 21)]}),
    "TENURE": ("text", True, {"enum": list("ABCDEFGH")}),
    "REFERRED_ON": ("date", True, {}),
    "STARTED_ON": ("date", True, {}),
    "ENDED_ON": ("date", False, {}),
    "BIRTH_DATE": ("date", True, {}),
    "HOURS": ("number", True, {"minimum": 0, "maximum": 168}),
    "AMOUNT": ("number", True, {"minimum": 0}),
    "CHARGE": ("number", True, {"minimum": 0}),
    "AGE": ("integer", True, {"minimum": 0, "maximum": 120}),
    "VISITS": ("integer", False, {"minimum": 0, "maximum": 500}),
    "POSTCODE": ("text", True, {"pattern": r"^[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}$"}),
    "LIVES_ALONE": ("boolean", True, {}),
    "CARER": ("boolean", False, {}),
}
