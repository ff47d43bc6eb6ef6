import { offerPresets } from '../shared/editor/presets';
import { useDialogStyles } from '../shared/editor/styles';
import { fieldLabels, numberField, patternField } from '../shared/editor/validators';
import { HTTP_PRESETS } from './presets';

const label = fieldLabels('edge-http');

interface Header {
  name: string;
  value: string;
}

RED.nodes.registerType('edge-http', {
  category: 'config',
  defaults: {
    name: { value: '' },
    url: {
      value: '',
      required: true,
      label: label('url'),
      validate: patternField(/^https?:\/\/[^\s@<>]+$/, 'httpUrl'),
    },
    method: { value: 'POST' },
    headers: { value: [] },
    timeout: { value: 10, label: label('timeout'), validate: numberField({ min: 0.1, max: 3600 }) },
    tls: { value: '', type: 'tls-config', required: false },
  },
  credentials: {
    token: { type: 'password' },
    username: { type: 'text' },
    password: { type: 'password' },
    deviceKey: { type: 'password' },
  },
  label() {
    return this.name || (typeof this.url === 'string' ? this.url : '');
  },
  oneditprepare() {
    useDialogStyles();
    offerPresets('edge-http', HTTP_PRESETS, '', (key) => this._(key));
    const list = $('#node-config-input-headers').editableList<Partial<Header>>({
      height: 120,
      removable: true,
      addItem: (row, _index, header) => {
        for (const part of ['name', 'value'] as const) {
          $('<input type="text">')
            .addClass(`header-${part}`)
            .attr('aria-label', this._(`edge-http.label.header-${part}`))
            .attr('placeholder', this._(`edge-http.label.header-${part}`))
            .css({ width: '46%', marginRight: '2%' })
            .val(header[part] ?? '')
            .appendTo(row);
        }
      },
    });
    const headers = Array.isArray(this.headers) ? (this.headers as Header[]) : [];
    headers.forEach((header) => list.editableList('addItem', header));
  },
  oneditsave() {
    const headers: Header[] = [];
    $('#node-config-input-headers')
      .editableList('items')
      .each((_index, row) => {
        const name = String($(row).find('.header-name').val()).trim();
        if (name) {
          headers.push({ name, value: String($(row).find('.header-value').val()) });
        }
      });
    this.headers = headers;
  },
});
