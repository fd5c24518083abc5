import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillStart, onWillUnmount, useState } from "@odoo/owl";

const MODEL = "crm.value.step";
const WAITING = ["requested", "running"];
const POLL_MS = 1000;

/** From the installation to the first scores, and what makes such a project succeed. */
export class FirstSteps extends Component {
    static template = "crm_value_addon.FirstSteps";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.layout = { controlPanel: {} };
        this.doneText = _t("Done");
        this.todoText = _t("To do");
        this.state = useState({ data: null });
        onWillStart(() => this.load());
        onWillUnmount(() => clearTimeout(this.timer));
    }

    async load() {
        this.state.data = await this.orm.silent.call(MODEL, "read_steps", []);
        clearTimeout(this.timer);
        if (this.waiting) {
            this.timer = setTimeout(() => this.load(), POLL_MS);
        }
    }

    get run() {
        return this.state.data.run;
    }

    get waiting() {
        return Boolean(this.run) && WAITING.includes(this.run.state);
    }

    get percent() {
        return Math.round(Math.min(Math.max(this.run.progress || 0, 0), 100));
    }

    get doneCount() {
        return this.state.data.steps.filter((step) => step.done).length;
    }

    async tick(key, done) {
        await this.orm.call(MODEL, "tick", [key, done]);
        await this.load();
    }

    async score() {
        await this.orm.call("crm.value.run", "action_request", [[]]);
        await this.load();
    }

    async openFinding(finding) {
        this.action.doAction(await this.orm.call(MODEL, "open_finding", [finding]));
    }

    open(action) {
        this.action.doAction(`crm_value_addon.${action}`);
    }
}

registry.category("actions").add("crm_value_first_steps", FirstSteps);
