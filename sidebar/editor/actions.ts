import { complain } from './requests';
import { text } from './texts';

/** Whether this user may change what runs; the runtime looks again. */
export function mayChange(): boolean {
  return RED.user.hasPermission('flows.write');
}

/** Puts a control at rest, and tells why, for whoever may not change what runs. */
export function forThoseWhoMay(control: JQuery): JQuery {
  return mayChange() ? control : control.prop('disabled', true).attr('title', text('hint.forbidden'));
}

/** A button that changes what runs; at rest for whoever may not. */
export function actionButton(label: string, act: () => Promise<void>): JQuery {
  const button = $('<button type="button" class="red-ui-button red-ui-button-small">').text(label);
  button.on('click', () => {
    button.prop('disabled', true);
    act()
      .catch(complain)
      .finally(() => button.prop('disabled', false));
  });
  return forThoseWhoMay(button);
}
