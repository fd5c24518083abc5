import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillStart, useState } from "@odoo/owl";

/** What each label means and by which thresholds it is told. */
export class ValueRules extends Component {
    static template = "crm_value_addon.ValueRules";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.layout = { controlPanel: {} };
        this.state = useState({ data: null, format: 0 });
        onWillStart(() => this.load(0));
    }

    async load(format) {
        this.state.data = await this.orm.call("crm.value.rules", "read_rules", [format || null]);
        this.state.format = format;
    }
}

registry.category("actions").add("crm_value_rules", ValueRules);
