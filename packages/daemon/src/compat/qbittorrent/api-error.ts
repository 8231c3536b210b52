/** What a request is refused with; the text goes to the client as it is. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: 400 | 401 | 403 | 404 | 405 | 409 | 415, text: string) {
    super(text);
    this.status = status;
  }
}

export const badParams = (text: string): ApiError => new ApiError(400, text);
export const notFound = (text = 'Not Found'): ApiError => new ApiError(404, text);
export const conflict = (text: string): ApiError => new ApiError(409, text);
