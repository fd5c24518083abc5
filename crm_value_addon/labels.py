"""The labels a customer can carry, in the order people read them, and who may see what."""

# Who sees class and stage, and who sees amounts as well.
GROUP_VIEWER = "crm_value_addon.group_viewer"
GROUP_USER = "crm_value_addon.group_user"

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
LOST_TYPES = [
    ("deliberately_dropped", "Deliberately dropped"),
    ("unintentionally_dropped", "Unintentionally dropped"),
    ("lured_by_competitor", "Lured by a competitor"),
    ("price_seeker", "Price seeker"),
    ("circumstances_changed", "Circumstances changed"),
]
CAUSES = [
    ("behaviour", "Behaviour"),
    ("policy", "Policy"),
    ("model", "Model"),
    ("data", "Data correction"),
    ("merge", "Merge"),
    ("override", "Override"),
]

# The nine cells of time orientation by benefit sought.
VALUE_TYPES = [
    ("laggard", "Laggard"),
    ("haggler", "Haggler"),
    ("nostalgic", "Nostalgic"),
    ("pragmatist", "Pragmatist"),
    ("value_for_money", "Value for money"),
    ("achiever", "Achiever"),
    ("pioneer", "Pioneer"),
    ("far_sighted", "Far-sighted"),
    ("perfectionist", "Perfectionist"),
    ("undetermined", "Undetermined"),
]
SATISFACTIONS = [("satisfied", "Satisfied"), ("neutral", "Neutral"), ("unsatisfied", "Unsatisfied")]
# Loyalty and satisfaction side by side: one does not make the other.
ATTITUDES = [
    ("loyal_satisfied", "Loyal and satisfied"),
    ("satisfied_not_loyal", "Satisfied, not loyal"),
    ("loyal_unsatisfied", "Loyal, unsatisfied"),
    ("neither", "Neither"),
]
VALUE_TRENDS = [("rising", "Rising"), ("falling", "Falling"), ("steady", "Steady")]
MARGIN_LEVELS = [("high", "High margin"), ("low", "Low margin")]
# Who adapts to whom: the customer to us, both, or we to the customer.
SERVICE_STRATEGIES = [("hook", "Hook"), ("zipper", "Zipper"), ("velcro", "Velcro")]
INITIATORS = [("customer", "The customer"), ("us", "We"), ("both", "Both")]
ANOMALIES = [("drop", "Drop"), ("surge", "Surge")]

# Labels a person may override; each is a pair of columns computed_* and effective_* of the profile.
LABELS = {
    "value_class": VALUE_CLASSES,
    "value_segment": VALUE_SEGMENTS,
    "loyalty_stage": LOYALTY_STAGES,
    "lifecycle_stage": LIFECYCLE_STAGES,
    "churn_risk": CHURN_RISKS,
    "value_type": VALUE_TYPES,
    "lost_type": [*LOST_TYPES, ("undetermined", "Undetermined")],
}
# Every value of every label, in the order people read them, for rows that may be about any of them.
LABEL_VALUES = [
    (f"{label}:{value}", name) for label, selection in LABELS.items() for value, name in selection
]
# The labels whose movement is told, and how good each value is: of equal ranks neither is better.
LABEL_RANKS = {
    "value_class": {"key": 3, "growth": 2, "standard": 1, "unprofitable": 0},
    "value_segment": {
        "key_stable": 8,
        "key_at_risk": 7,
        "promising": 6,
        "standard": 5,
        "new": 5,
        "burden": 4,
        "prospect": 3,
        "dormant": 2,
        "lost_worth_winning_back": 1,
        "lost": 1,
    },
    "loyalty_stage": {"loyalty": 3, "preference": 2, "approval": 1, "awareness": 0},
    "lifecycle_stage": {
        "extension": 5,
        "retention": 4,
        "acquisition": 3,
        "won_back": 3,
        "selection": 2,
        "dormant": 1,
        "lost": 0,
    },
    "churn_risk": {"low": 2, "medium": 1, "high": 0},
}
LABEL_NAMES = [
    ("value_class", "Value Class"),
    ("value_segment", "Value Segment"),
    ("loyalty_stage", "Loyalty Stage"),
    ("lifecycle_stage", "Life-Cycle Stage"),
    ("churn_risk", "Churn Risk"),
    ("value_type", "Value Type"),
    ("lost_type", "Lost Type"),
]
