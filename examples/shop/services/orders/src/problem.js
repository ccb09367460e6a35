// An answer other than success, as `application/problem+json`.
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}
