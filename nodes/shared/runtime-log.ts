/** Node-RED's log, for what runs outside of its nodes. */
interface RuntimeLog {
  warn(text: string): void;
}

let log: RuntimeLog | undefined;

/** Takes Node-RED's log as soon as a node of the suite is registered. */
export function useLog(runtime: RuntimeLog): void {
  log = runtime;
}

/** A warning in Node-RED's log; on the process's standard error before there is one. */
export function warn(text: string): void {
  if (log) {
    log.warn(text);
  } else {
    process.emitWarning(text);
  }
}
