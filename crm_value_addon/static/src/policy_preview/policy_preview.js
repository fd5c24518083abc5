import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component, onWillUnmount, useEffect, useState } from "@odoo/owl";

const WAITING = ["requested", "running"];
const POLL_MS = 500;

/** What a draft would change: from which label to which, how many customers and how much money. */
export class PolicyPreview extends Component {
    static template = "crm_value_addon.PolicyPreview";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ preview: this.given });
        useEffect(
            (given) => {
                this.state.preview = given;
                this.follow();
            },
            () => [this.given]
        );
        onWillUnmount(() => clearTimeout(this.timer));
    }

    get given() {
        return this.props.record.data[this.props.name] || null;
    }

    get waiting() {
        return Boolean(this.state.preview) && WAITING.includes(this.state.preview.state);
    }

    get percent() {
        return Math.round(Math.min(Math.max(this.state.preview.progress || 0, 0), 100));
    }

    /** Look again until the run has ended: the worker works beside Odoo, and tells nobody when it is done. */
    follow() {
        clearTimeout(this.timer);
        if (this.waiting) {
            this.timer = setTimeout(async () => {
                const { resModel, resId } = this.props.record;
                const [values] = await this.orm.silent.read(resModel, [resId], [this.props.name]);
                this.state.preview = values[this.props.name] || null;
                this.follow();
            }, POLL_MS);
        }
    }

    async open(label, move) {
        const { resModel, resId } = this.props.record;
        const { before, after } = move || {};
        this.action.doAction(
            await this.orm.call(resModel, "action_open_preview", [[resId], label, before || null, after || null])
        );
    }
}

/** The rules in which a version differs from another, in a table. */
export class PolicyDifferences extends Component {
    static template = "crm_value_addon.PolicyDifferences";
    static props = { ...standardFieldProps };

    get rows() {
        return this.props.record.data[this.props.name] || [];
    }
}

/** Every rule there is with its value by a version, folded: what could be changed, and what it would do. */
export class PolicyAllRules extends PolicyDifferences {
    static template = "crm_value_addon.PolicyAllRules";
}

registry.category("fields").add("crm_value_policy_preview", { component: PolicyPreview, supportedTypes: ["json"] });
registry
    .category("fields")
    .add("crm_value_policy_differences", { component: PolicyDifferences, supportedTypes: ["json"] });
registry.category("fields").add("crm_value_policy_all_rules", { component: PolicyAllRules, supportedTypes: ["json"] });
