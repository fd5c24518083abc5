from . import value_letter
