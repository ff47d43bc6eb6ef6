/** A node of a measured Node-RED that counts the messages that come to it and tells the benchmark. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import { say } from './say';

const REPORT_MS = 40;

export = function (RED: NodeAPI): void {
  RED.nodes.registerType('bench-counter', function (this: Node, definition: NodeDef) {
    RED.nodes.createNode(this, definition);
    let count = 0;
    const timer = setInterval(() => say('count', count), REPORT_MS);
    this.on('input', (_msg, _send, done) => {
      count++;
      done();
    });
    this.on('close', () => clearInterval(timer));
  });
};
