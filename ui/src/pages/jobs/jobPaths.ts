const part = encodeURIComponent;

export const jobPath = (location: string, job: string) => `/jobs/${part(location)}/${part(job)}`;
export const launchpadPath = (location: string, job: string) => `${jobPath(location, job)}/launchpad`;
