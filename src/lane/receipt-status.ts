import { MESSAGE_STATUSES, type Receipt } from './types.js';

/** What {@link statusOf} can give. */
export const RECEIPT_STATUSES = [...MESSAGE_STATUSES, 'UNDONE', 'NONE'] as const;
export type ReceiptStatus = (typeof RECEIPT_STATUSES)[number];

/** Status of a whole transaction: that of its first (8,8) message which is not OK. */
export function statusOf({ undone, messages }: Pick<Receipt, 'undone' | 'messages'>): {
  status: ReceiptStatus;
  error: string | null;
} {
  if (undone !== undefined) return { status: 'UNDONE', error: undone };
  const own = messages.filter(({ status }) => status !== 'STANDARD');
  const first = own.find(({ status }) => status !== 'OK') ?? own[0] ?? messages[0];
  return { status: first?.status ?? 'NONE', error: first?.error ?? null };
}
