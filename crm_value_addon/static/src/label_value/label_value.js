import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { SelectionField, selectionField } from "@web/views/fields/selection/selection_field";

/** A value of the label of the record, by its name: the label decides which there are to choose from. */
export class LabelValueField extends SelectionField {
    get options() {
        return this.props.record.data.value_options || [];
    }

    get string() {
        const value = this.props.record.data[this.props.name];
        const option = this.options.find(([code]) => code === value);
        // A code that this version does not know is still better than nothing.
        return option ? option[1] : value || "";
    }

    onChange(value) {
        this.props.record.update({ [this.props.name]: value ?? false }, { save: this.props.autosave });
    }
}

export const labelValueField = {
    ...selectionField,
    component: LabelValueField,
    displayName: _t("Value of a label"),
    supportedTypes: ["char"],
    fieldDependencies: [{ name: "value_options", type: "json" }],
    isEmpty: (record, fieldName) => !record.data[fieldName],
};

registry.category("fields").add("crm_value_label_value", labelValueField);
