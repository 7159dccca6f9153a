import type { TransactionManager } from '../transactions/transaction-manager.js'

/** Begins a transaction, does `work`, and commits; aborts where either fails in a way that can be aborted. */
export async function inTransaction<T>(
  transactions: TransactionManager,
  work: () => Promise<T> | T,
  commit: () => Promise<void>,
): Promise<T> {
  await transactions.awaitAbort()
  transactions.beginTransaction()
  try {
    const result = await work()
    await commit()
    return result
  } catch (error) {
    // The caller gets the first error. That the abort fails, too, later calls say.
    if (transactions.mayAbort) await transactions.abortTransaction().catch(() => {})
    throw error
  }
}
