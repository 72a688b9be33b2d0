extension MetricsRegistry {
    /// What the figures of the libraries and of the daemon mean, by name.
    public static let helps: [String: String] = [
        "http_requests_total":
            "Requests that were answered, by the route's template, method and status; \"-\" is no route.",
        "http_request_duration_seconds": "From the head of a request to the end of its answer, by route and method.",
        "http_requests_in_flight": "Requests that are being answered.",
        "http_requests_refused_total":
            "Requests that the connection refused before any route saw them, by problem code.",
        "http_connections": "Connections that are open.",
        "http_connections_accepted_total": "Connections that were accepted.",
        "http_request_body_bytes_total": "Bytes of the contents of requests, as they came in.",
        "http_response_body_bytes_total": "Bytes of the contents of answers, as they were handed to the socket.",

        "storage_blob_operation_seconds":
            "Time of calls of a blob store, by store and operation; reading what was opened apart.",
        "storage_blob_operation_failures_total": "Calls of a blob store that failed, by store and operation.",
        "storage_database_operation_seconds": "Time of calls of the metadata store, by database and operation.",
        "storage_database_operation_failures_total":
            "Calls of the metadata store that failed, by database and operation; a refusal by a rule is an answer.",
        "storage_database_connections": "Connections to the database server for transactions, by state: in_use, idle.",
        "storage_database_waiting": "Transactions and reads that wait for a connection or a thread.",
        "storage_database_wait_timeouts_total": "Transactions that waited for a connection in vain.",
        "storage_cache_hits_total": "Look-ups that a cache answered, by cache.",
        "storage_cache_misses_total": "Look-ups that a cache could not answer, by cache.",
        "storage_cache_bytes": "Bytes that a cache holds, by cache.",
        "storage_cache_questions_total":
            "Questions to the cache that processes share, by result: hit, miss, failed, not_asked.",
        "storage_cache_malformed_total": "Values of the shared cache that were not right, and not believed.",
        "storage_retries_total": "Calls of a service that were repeated, by service and operation.",
        "storage_calls_given_up_total": "Calls of a service that were given up, by service, operation and reason.",
        "storage_circuit_open": "1 while a service that fails is left alone, by service.",

        "storage_upkeep_passes_total": "Passes of upkeep, by task and result: succeeded, failed.",
        "storage_upkeep_interval_seconds": "The pause between two passes of a task of upkeep.",
        "storage_upkeep_last_success_timestamp_seconds": "When a task of upkeep last succeeded, since 1970.",
        "storage_collected_blobs_total": "Blobs whose bytes were deleted because nothing refers to them.",
        "storage_collected_bytes_total": "Bytes that were given back with them.",
        "storage_disk_free_bytes": "Bytes of the file system of data.directory that storaged may still use.",
        "storage_disk_size_bytes": "Bytes of the file system of data.directory.",

        "storaged_build_info": "1, with the version as a label.",
        "storaged_log_lines_lost_total": "Log lines that were not written, by reason: queue_full, write_failed.",
        "metrics_dropped_series_total": "Figures that are not counted, because their name has too many labels.",
        "process_cpu_seconds_total": "Processor time of the process, in user and in kernel mode.",
        "process_resident_memory_bytes": "Memory of the process that is in RAM.",
        "process_virtual_memory_bytes": "Address space of the process.",
        "process_open_fds": "Open file descriptors.",
        "process_max_fds": "How many file descriptors may be open.",
        "process_start_time_seconds": "When the process started, since 1970.",
    ]
}
