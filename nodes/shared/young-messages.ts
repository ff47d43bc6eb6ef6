import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8 from making messages among its old objects, in the whole process.
 *
 * V8 decides once for each object literal in the code, by the first hundred objects or so that it made. Those of a flow that
 * has just started wait for stores to open and for code to be compiled, so all of them outlive a garbage collection, and
 * from then on every message is made where only a full collection frees it. Until that comes, each also keeps alive what it
 * refers to: collections of young objects then copy all messages of the last half second, which stops the main thread for
 * some 10 ms at a time (bench/README.md, factory). Without the decision, what really lives long is copied twice before it is old.
 *
 * Call it before the first message: code that was compiled earlier stays as it is.
 */
export function keepMessagesYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
