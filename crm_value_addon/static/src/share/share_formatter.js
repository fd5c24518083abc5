import { registry } from "@web/core/registry";
import { formatPercentage } from "@web/views/fields/formatters";

/** A share in percent; where there is none to tell, nothing, which is not 0 %. */
export function formatShare(value, options) {
    return value || value === 0 ? formatPercentage(value, options) : "";
}
formatShare.extractOptions = formatPercentage.extractOptions;

registry.category("formatters").add("crm_value_share", formatShare);
