/**
 * A failure of the GPU or its driver, or a demand that the device cannot meet. Its message says what was wrong and what to do,
 * and stands alone, without a stack trace.
 */
export class DeviceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DeviceError';
  }
}
