/** One `flush` call: done when every batch and waiting record it has seen is settled. */
export class FlushBarrier {
  private pending = 1
  private readonly resolve: () => void
  readonly done: Promise<void>

  constructor() {
    let resolve: () => void = () => {}
    this.done = new Promise(settled => {
      resolve = settled
    })
    this.resolve = resolve
  }

  add(): void {
    this.pending++
  }

  leave(): void {
    if (--this.pending === 0) this.resolve()
  }
}
