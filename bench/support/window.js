// What the load generators wait on.

/** A count of records without an outcome; full at the most. */
export class Window {
  #max
  #unsettled = 0
  #wake = null
  #error = null

  constructor(max) {
    this.#max = max
  }

  get isFull() {
    return this.#unsettled >= this.#max
  }

  add(count) {
    this.#unsettled += count
  }

  leave(count) {
    this.#unsettled -= count
    if (this.#wake === null) return
    const wake = this.#wake
    this.#wake = null
    wake()
  }

  /** `drained` will reject with the first error. */
  fail(error, count) {
    this.#error ??= error
    this.leave(count)
  }

  /** Until some record has left. */
  change() {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }

  async drained() {
    while (this.#unsettled > 0) await this.change()
    if (this.#error !== null) throw this.#error
  }
}
