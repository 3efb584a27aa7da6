#include "plugins/api/openapi/page.h"

namespace sb::plugins::api::openapi {

const std::string_view kPage = R"page(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Signalbox API</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --soft: #8881; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
  header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: baseline; }
  input { font: inherit; padding: .3rem .6rem; flex: 1; min-width: 14rem; }
  h2 { border-bottom: 1px solid var(--line); margin-top: 2rem; }
  details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; }
  summary { cursor: pointer; padding: .4rem .7rem; }
  details > div { padding: 0 1rem 1rem; }
  .method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
  .get { color: #2a7de1; } .post { color: #1c8f4a; } .put { color: #b7791f; } .delete { color: #d03a3a; }
  code, pre { font-family: ui-monospace, monospace; font-size: 13px; }
  pre { background: var(--soft); padding: .6rem; overflow: auto; border-radius: 6px; }
  table { border-collapse: collapse; width: 100%; }
  td, th { text-align: left; padding: .2rem .6rem .2rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
  .soft { opacity: .7; }
</style>
</head>
<body>
<header>
  <h1>Signalbox API</h1>
  <label for="filter">Filter</label>
  <input id="filter" type="search" placeholder="path or words" autofocus>
  <a href="/api-docs/swagger.json">OpenAPI document</a>
</header>
<p class="soft">Send <code>Authorization: Basic base64(key:secret)</code> with an API key, or
<code>Authorization: Bearer token</code> with a token of <code>POST /api/v5/login</code>.</p>
<main id="main">Reading the document …</main>
<script>
const make = (name, text, type) => {
  const out = document.createElement(name);
  if (text !== undefined) out.textContent = text;
  if (type) out.className = type;
  return out;
};
const rows = (headings, lines) => {
  const table = make('table');
  const head = table.insertRow();
  for (const heading of headings) head.append(make('th', heading));
  for (const line of lines) {
    const row = table.insertRow();
    for (const cell of line) row.insertCell().textContent = cell;
  }
  return table;
};
const shown = schema => JSON.stringify(schema, null, 2);
function describe(operation) {
  const box = make('div');
  box.append(make('p', operation.summary || ''));
  const roles = operation.security && operation.security.length ? (operation['x-roles'] || []).join(', ') : 'everybody';
  box.append(make('p', 'For: ' + roles, 'soft'));
  if (operation.parameters) {
    box.append(make('h4', 'Parameters'));
    box.append(rows(['name', 'in', 'type', 'what'], operation.parameters.map(p =>
      [p.name + (p.required ? ' *' : ''), p.in, (p.schema || {}).type || '', p.description || ''])));
  }
  for (const [type, content] of Object.entries((operation.requestBody || {}).content || {})) {
    box.append(make('h4', 'Body, ' + type));
    box.append(make('pre', shown(content.schema)));
  }
  box.append(make('h4', 'Answers'));
  for (const [status, answer] of Object.entries(operation.responses || {})) {
    box.append(make('p', status + ' ' + (answer.description || '')));
    for (const content of Object.values(answer.content || {})) box.append(make('pre', shown(content.schema)));
  }
  return box;
}
function show(document_) {
  const main = document.getElementById('main');
  main.textContent = '';
  const tags = new Map();
  for (const [path, methods] of Object.entries(document_.paths))
    for (const [method, operation] of Object.entries(methods)) {
      const tag = (operation.tags || ['Other'])[0];
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push({ path, method, operation });
    }
  for (const tag of [...tags.keys()].sort()) {
    const section = make('section');
    section.append(make('h2', tag));
    for (const { path, method, operation } of tags.get(tag)) {
      const entry = make('details');
      const summary = make('summary');
      summary.append(make('span', method.toUpperCase(), 'method ' + method), make('code', path),
                     make('span', ' ' + (operation.summary || ''), 'soft'));
      entry.append(summary);
      entry.dataset.words = (path + ' ' + (operation.summary || '') + ' ' + tag).toLowerCase();
      entry.addEventListener('toggle', () => {
        if (entry.open && entry.children.length === 1) entry.append(describe(operation));
      });
      section.append(entry);
    }
    main.append(section);
  }
  document.getElementById('filter').addEventListener('input', event => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const section of main.children) {
      let any = false;
      for (const entry of section.querySelectorAll('details')) {
        const fits = words.every(word => entry.dataset.words.includes(word));
        entry.hidden = !fits;
        any = any || fits;
      }
      section.hidden = !any;
    }
  });
}
fetch('/api-docs/swagger.json').then(answer => answer.json()).then(show, error => {
  document.getElementById('main').textContent = 'The document cannot be read: ' + error;
});
</script>
</body>
</html>
)page";

}  // namespace sb::plugins::api::openapi
