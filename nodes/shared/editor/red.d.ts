/** The part of Node-RED's editor API that the dialogs use; the published types know no validation messages. */

/** What a validator is told about the property. */
interface ValidationOptions {
  label?: string;
}

/** True when valid, else what is wrong and how to fix it. Node-RED looks at the number of declared parameters. */
type Validator = (this: EditorNode, value: unknown, options: ValidationOptions) => true | string;

interface EditorProperty {
  value: unknown;
  required?: boolean;
  type?: string;
  label?: string;
  validate?: Validator;
}

interface EditorNode {
  id: string;
  type: string;
  name: string;
  _(key: string, parameters?: Record<string, unknown>): string;
  [property: string]: unknown;
}

interface EditorNodeType {
  category: string;
  color?: string;
  defaults: Record<string, EditorProperty>;
  credentials?: Record<string, { type: 'text' | 'password' }>;
  inputs?: number;
  outputs?: number;
  icon?: string;
  paletteLabel?: string | ((this: EditorNode) => string);
  label?: string | ((this: EditorNode) => string);
  labelStyle?: string | ((this: EditorNode) => string);
  inputLabels?: string | ((this: EditorNode, index: number) => string);
  outputLabels?: string[] | ((this: EditorNode, index: number) => string);
  align?: 'left' | 'right';
  oneditprepare?(this: EditorNode): void;
  oneditsave?(this: EditorNode): void;
  oneditcancel?(this: EditorNode): void;
  oneditdelete?(this: EditorNode): void;
  oneditresize?(this: EditorNode, size: { width: number; height: number }): void;
}

interface EditableListOptions<T> {
  header?: JQuery;
  height?: number | 'auto';
  sortable?: boolean;
  removable?: boolean;
  addButton?: boolean | string;
  addItem(container: JQuery, index: number, data: T): void;
  removeItem?(data: T): void;
  sortItems?(items: JQuery): void;
}

/** An entry of a menu, or of what a field can be completed to. */
interface MenuOption {
  value: string;
  label: string | JQuery;
}

interface MenuOptions {
  options: MenuOption[];
  width?: number;
  maxHeight?: number;
  class?: string;
  onselect(option: MenuOption): void;
  onclose?(): void;
}

interface AutoCompleteOptions {
  minLength?: number;
  /** Node-RED looks at the number of declared parameters. */
  search(value: string, done: (options: MenuOption[]) => void): void;
}

interface JQuery {
  autoComplete(optionsOrMethod: AutoCompleteOptions | 'destroy'): this;
  typedInput(options: object): this;
  typedInput(method: 'type' | 'value'): string;
  typedInput(method: 'type' | 'value' | 'types' | 'width', argument: unknown): this;
  editableList<T>(options: EditableListOptions<T>): this;
  editableList(method: 'addItem', item: unknown): this;
  editableList(method: 'items'): JQuery;
  editableList(method: 'empty'): this;
  editableList(method: 'height' | 'width', size: number): this;
}

declare const RED: {
  nodes: {
    registerType(type: string, definition: EditorNodeType): void;
    node(id: string): EditorNode | undefined;
    getType(type: string): EditorNodeType | undefined;
    eachConfig(visit: (config: EditorNode) => void): void;
  };
  /** `lang` is the language of the editor, such as `pt-BR`. */
  i18n: { lang(): string };
  utils: { getNodeLabel(node: EditorNode, fallback: string): string };
  editor: {
    /** What is edited in the trays that are open, the upper one last; not all of them are nodes. */
    getEditStack(): { id?: string }[];
    createEditor(options: object): { getValue(): string; destroy(): void };
    /** Opens the dialog of a config node, or of a new one with the id `_ADD_`; fills the select `#<prefix>-<name>` after. */
    editConfig(name: string, type: string, id: string, prefix: string): void;
  };
  popover: {
    menu(options: MenuOptions): { show(place: { target: JQuery }): void; hide(): void };
  };
  user: { hasPermission(permission: string): boolean };
  view: { reveal(id: string): void };
  settings: { get(key: string, fallback: unknown): unknown; set(key: string, value: unknown): void };
  comms: { subscribe(topic: string, listener: (topic: string, data: unknown) => void): void };
  actions: { add(name: string, action: () => void): void };
  sidebar: { addTab(tab: object): void; show(id: string): void };
  plugins: { registerPlugin(id: string, definition: object): void };
  notify(text: string, options?: object): void;
  _(key: string, parameters?: Record<string, unknown>): string;
};
