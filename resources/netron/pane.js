// What the Netron pane adds to Netron's page: run before the page's own scripts, called from views/netron_web.py.
// `__view__._target` and `_sidebar` are private names of the Netron that pyproject.toml pins.

// Netron asks for consent to cookies before it starts, by way of a web service; offline it would wait for ever.
Object.defineProperty(document, 'cookie', { get: () => 'consent=1', set: () => {} });

// Its menu opens other files and web pages; the window has its own.
addEventListener('DOMContentLoaded', () => {
  const style = document.createElement('style');
  style.textContent = '#menu-button, #titlebar { display: none !important } ' +
    '.welcome .logo, .spinner .logo { visibility: hidden }';
  document.head.append(style);
});

const inspectorPane = {

  drawn() {
    const view = window.__view__;
    return view && view._page === 'default' && view._target ? view._target : null;
  },

  // As text: Qt for Python hands lists over as empty strings.
  state() {
    const message = document.getElementById('message-text');
    return JSON.stringify([!!this.drawn(), document.body.className, message ? message.innerText : '']);
  },

  // Netron follows prefers-color-scheme alone, which Qt fixes at start: switch the rules behind it instead.
  theme(dark, ground) {
    for (const sheet of document.styleSheets) {
      for (const rule of sheet.cssRules) {
        if (rule.media && (rule.inspector || rule.media.mediaText.includes('prefers-color-scheme'))) {
          rule.inspector = true;
          rule.media.mediaText = dark ? 'all' : 'not all';
        }
      }
    }
    for (const element of [document.body, document.getElementById('target')]) {
      element.style.setProperty('background-color', ground, 'important');
    }
  },

  // Selects and shows the first node that bears one of the names, writes an output of one of them, or ends in one; else
  // the one at the same place among as many of the same type: TorchScript's nodes have no names.
  select(wanted, alike) {
    const target = this.drawn();
    if (!target) {
      return 'wait';
    }
    const values = [...target.nodes.values()].map((entry) => entry.label && entry.label.value).filter((value) => value);
    const real = (value) => Array.isArray(value.inputs); // not an input or output of the model
    const nodes = [...values.filter(real), ...values.filter((value) => !real(value))];
    const outputs = (node) => (node.outputs || []).flatMap((item) => (item.value || []).map((value) => value && value.name));
    const named = (name) => nodes.find((node) => real(node) && node.name === name) ||
      nodes.find((node) => outputs(node).includes(name)) ||
      nodes.find((node) => node.name === name) ||
      nodes.find((node) => node.name && (node.name.endsWith(`/${name}`) || node.name.endsWith(`.${name}`)));
    const plain = (type) => String(type || '').split(/[.:/]/).pop().toLowerCase().replace(/[^a-z0-9]/g, '');
    const same = alike ? values.filter((value) => real(value) && value.type && plain(value.type.name) === plain(alike.type)) : [];
    const found = wanted.map(named).find((node) => node) ||
      (alike && same.length === alike.count ? same[alike.place] : null);
    if (!found) {
      return 'none';
    }
    this.quiet = true; // who asked for it need not be told
    target.scrollTo(target.activate(found, 'sidebar'));
    setTimeout(() => {
      this.quiet = false;
    });
    return `done:${found.name || outputs(found)[0] || ''}`;
  },

  // Tells the window which node the user clicks.
  listen(prefix) {
    const target = this.drawn();
    if (target && !target.inspectorListens) {
      target.inspectorListens = true;
      target.on('selectionchange', () => {
        const chosen = [...target.selection].map((item) => item.value || item).find((node) => node && node.name);
        if (chosen && !this.quiet) {
          console.info(prefix + chosen.name);
        }
      });
    }
  }
};
