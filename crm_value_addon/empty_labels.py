"""What people read where a field has no value, as the heading of a group for example.

Odoo exports and translates such a word only where it is marked for it.
"""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

ALL_CLASSES = _lt("All classes")
NO_CHANGE = _lt("No change of the label")
NOT_CLASSED = _lt("Not classed")
NOT_KNOWN = _lt("Not known")
NOT_SCORED = _lt("Not scored")
TOO_LITTLE_DATA = _lt("Too little data")
WHOLE_COMPANY = _lt("Whole company")
WITHOUT_FORMAT = _lt("Without a format")
WITHOUT_LABEL = _lt("Without a label")
