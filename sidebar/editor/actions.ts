import { complain } from './requests';
import { text } from './texts';

/** Whether this user may change what runs; the runtime looks again. */
export function mayChange(): boolean {
  return RED.user.hasPermission('flows.write');
}

/** A button that changes what runs; at rest, with the reason, for whoever may not. */
export function actionButton(label: string, act: () => Promise<void>): JQuery {
  const button = $('<button type="button" class="red-ui-button red-ui-button-small">').text(label);
  if (!mayChange()) {
    return button.prop('disabled', true).attr('title', text('hint.forbidden'));
  }
  return button.on('click', () => {
    button.prop('disabled', true);
    act()
      .catch(complain)
      .finally(() => button.prop('disabled', false));
  });
}
