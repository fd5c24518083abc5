from . import value_letter, value_sheet
