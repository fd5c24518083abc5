"""The labels a customer can carry, in the order people read them, and who may see what."""

VALUE_CLASSES = [
    ("key", "Key (A)"),
    ("growth", "Growth (B)"),
    ("standard", "Standard (C)"),
    ("unprofitable", "Unprofitable (D)"),
]
VALUE_SEGMENTS = [
    ("key_stable", "Key, stable"),
    ("key_at_risk", "Key, at risk"),
    ("promising", "Promising"),
    ("new", "New"),
    ("standard", "Standard"),
    ("burden", "Burden"),
    ("dormant", "Dormant"),
    ("lost_worth_winning_back", "Lost, worth winning back"),
    ("lost", "Lost"),
    ("prospect", "Prospect"),
]
LOYALTY_STAGES = [
    ("awareness", "Awareness"),
    ("approval", "Approval"),
    ("preference", "Preference"),
    ("loyalty", "Loyalty"),
]
LIFECYCLE_STAGES = [
    ("selection", "Selection"),
    ("acquisition", "Acquisition"),
    ("won_back", "Won back"),
    ("retention", "Retention"),
    ("extension", "Extension"),
    ("dormant", "Dormant"),
    ("lost", "Lost"),
]
CHURN_RISKS = [("low", "Low"), ("medium", "Medium"), ("high", "High")]
CONFIDENCES = [("enough", "Enough"), ("thin", "Thin"), ("none", "None")]
VALUE_BASES = [("margin", "Margin"), ("revenue", "Revenue")]
CAUSES = [
    ("behaviour", "Behaviour"),
    ("policy", "Policy"),
    ("model", "Model"),
    ("data", "Data correction"),
    ("merge", "Merge"),
    ("override", "Override"),
]

# Labels a person may override; each is a pair of columns computed_* and effective_* of the profile.
LABELS = {
    "value_class": VALUE_CLASSES,
    "value_segment": VALUE_SEGMENTS,
    "loyalty_stage": LOYALTY_STAGES,
    "lifecycle_stage": LIFECYCLE_STAGES,
    "churn_risk": CHURN_RISKS,
}
