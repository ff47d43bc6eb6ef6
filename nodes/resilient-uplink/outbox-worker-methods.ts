import type { RequeueRequest } from './dead-letters';
import type { LedgerReport, LedgerRequest } from './ledger-report';
import type {
  DeadLetterPage,
  DeadLetterRequest,
  EvictionOrder,
  NewMessage,
  ReadRequest,
  Settlement,
  TopicsPage,
  Usage,
} from './outbox-port';
import type { Packed, StoredHead } from './packing';
import type { SalvageProgress } from './salvage/salvage';
import type { StoreLoss } from './store-loss';

/** Messages that were read, their bodies in one buffer. */
export type PackedResult = Packed<StoredHead> & { corrupt: number[]; more: boolean };
type NewHead = Omit<NewMessage, 'body' | 'origin'>;

/** What the outbox's worker thread does, as the main thread calls it. */
export type OutboxWorkerMethods = {
  /** Call again while it is `salvaging`. */
  open(
    argument: null,
  ): { salvaging: SalvageProgress } | { uuid: string; age: number; usage: Usage; loss?: StoreLoss };
  append(packed: Packed<NewHead>): { first: number; storedMs: number; storedAge: number; usage: Usage };
  read(request: ReadRequest): PackedResult;
  settle(settlement: Settlement): Usage;
  topics(request: { after: number; maxRows: number }): TopicsPage;
  expired(request: { maxAgeMs: number; maxRows: number }): PackedResult & { usage: Usage };
  victims(request: { bytes: number; order: EvictionOrder; keep: number[]; maxRows: number }): PackedResult;
  ledger(request: LedgerRequest): LedgerReport;
  publication(argument: null): string | undefined;
  notePublication(note: string): void;
  requeue(request: RequeueRequest): { sequences: number[]; more: boolean; usage: Usage };
  deadLetters(request: DeadLetterRequest): DeadLetterPage;
  copyTo(path: string): Promise<void>;
  close(argument: null): void;
};
