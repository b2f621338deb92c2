//! What a broker answers about configurations: DescribeConfigs (`ConfigHelper`).

use playground_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

use super::describe::BrokerView;

/// Answers a DescribeConfigs request.
pub fn describe_configs(
    view: &BrokerView<'_>,
    request: &DescribeConfigsRequest,
    version: i16,
) -> DescribeConfigsResponse {
    let _ = (view, request, version);
    DescribeConfigsResponse::default()
}
