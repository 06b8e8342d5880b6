// SPDX-License-Identifier: Apache-2.0
// Everything in `web/`, one pair of an array and a table row a file. The compiler reads the files themselves, and
// notices when one has changed; a test notices when one is missing here.
#include "CSkeinWeb.h"

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wc23-extensions"
#endif

static const unsigned char agents_css[] = {
#embed "../../web/agents.css"
};

static const unsigned char agents_agent_graph_js[] = {
#embed "../../web/agents/agent-graph.js"
};

static const unsigned char agents_agents_js[] = {
#embed "../../web/agents/agents.js"
};

static const unsigned char agents_axis_js[] = {
#embed "../../web/agents/axis.js"
};

static const unsigned char agents_below_js[] = {
#embed "../../web/agents/below.js"
};

static const unsigned char agents_blocks_js[] = {
#embed "../../web/agents/blocks.js"
};

static const unsigned char agents_colors_js[] = {
#embed "../../web/agents/colors.js"
};

static const unsigned char agents_compare_model_js[] = {
#embed "../../web/agents/compare-model.js"
};

static const unsigned char agents_compare_js[] = {
#embed "../../web/agents/compare.js"
};

static const unsigned char agents_context_cost_js[] = {
#embed "../../web/agents/context-cost.js"
};

static const unsigned char agents_context_js[] = {
#embed "../../web/agents/context.js"
};

static const unsigned char agents_conversation_js[] = {
#embed "../../web/agents/conversation.js"
};

static const unsigned char agents_filters_js[] = {
#embed "../../web/agents/filters.js"
};

static const unsigned char agents_focus_js[] = {
#embed "../../web/agents/focus.js"
};

static const unsigned char agents_follow_js[] = {
#embed "../../web/agents/follow.js"
};

static const unsigned char agents_groups_js[] = {
#embed "../../web/agents/groups.js"
};

static const unsigned char agents_head_js[] = {
#embed "../../web/agents/head.js"
};

static const unsigned char agents_keys_js[] = {
#embed "../../web/agents/keys.js"
};

static const unsigned char agents_lane_drawing_js[] = {
#embed "../../web/agents/lane-drawing.js"
};

static const unsigned char agents_lanes_js[] = {
#embed "../../web/agents/lanes.js"
};

static const unsigned char agents_latency_js[] = {
#embed "../../web/agents/latency.js"
};

static const unsigned char agents_left_js[] = {
#embed "../../web/agents/left.js"
};

static const unsigned char agents_marks_js[] = {
#embed "../../web/agents/marks.js"
};

static const unsigned char agents_orchestration_js[] = {
#embed "../../web/agents/orchestration.js"
};

static const unsigned char agents_overview_js[] = {
#embed "../../web/agents/overview.js"
};

static const unsigned char agents_path_hops_js[] = {
#embed "../../web/agents/path-hops.js"
};

static const unsigned char agents_progress_js[] = {
#embed "../../web/agents/progress.js"
};

static const unsigned char agents_session_list_js[] = {
#embed "../../web/agents/session-list.js"
};

static const unsigned char agents_session_js[] = {
#embed "../../web/agents/session.js"
};

static const unsigned char agents_span_facts_js[] = {
#embed "../../web/agents/span-facts.js"
};

static const unsigned char agents_span_panel_js[] = {
#embed "../../web/agents/span-panel.js"
};

static const unsigned char agents_step_store_js[] = {
#embed "../../web/agents/step-store.js"
};

static const unsigned char agents_steps_js[] = {
#embed "../../web/agents/steps.js"
};

static const unsigned char agents_sums_js[] = {
#embed "../../web/agents/sums.js"
};

static const unsigned char agents_tables_js[] = {
#embed "../../web/agents/tables.js"
};

static const unsigned char agents_time_bar_js[] = {
#embed "../../web/agents/time-bar.js"
};

static const unsigned char agents_tool_heat_js[] = {
#embed "../../web/agents/tool-heat.js"
};

static const unsigned char agents_tool_table_js[] = {
#embed "../../web/agents/tool-table.js"
};

static const unsigned char agents_turns_js[] = {
#embed "../../web/agents/turns.js"
};

static const unsigned char agents_words_js[] = {
#embed "../../web/agents/words.js"
};

static const unsigned char api_agents_js[] = {
#embed "../../web/api-agents.js"
};

static const unsigned char api_more_js[] = {
#embed "../../web/api-more.js"
};

static const unsigned char api_js[] = {
#embed "../../web/api.js"
};

static const unsigned char app_js[] = {
#embed "../../web/app.js"
};

static const unsigned char base_css[] = {
#embed "../../web/base.css"
};

static const unsigned char compare_css[] = {
#embed "../../web/compare.css"
};

static const unsigned char compare_ask_js[] = {
#embed "../../web/compare/ask.js"
};

static const unsigned char compare_attributes_js[] = {
#embed "../../web/compare/attributes.js"
};

static const unsigned char compare_compare_js[] = {
#embed "../../web/compare/compare.js"
};

static const unsigned char compare_model_js[] = {
#embed "../../web/compare/model.js"
};

static const unsigned char compare_sentence_js[] = {
#embed "../../web/compare/sentence.js"
};

static const unsigned char compare_tree_js[] = {
#embed "../../web/compare/tree.js"
};

static const unsigned char conversation_css[] = {
#embed "../../web/conversation.css"
};

static const unsigned char dialogs_css[] = {
#embed "../../web/dialogs.css"
};

static const unsigned char explore_css[] = {
#embed "../../web/explore.css"
};

static const unsigned char explore_asked_js[] = {
#embed "../../web/explore/asked.js"
};

static const unsigned char explore_attribute_picker_js[] = {
#embed "../../web/explore/attribute-picker.js"
};

static const unsigned char explore_bucket_table_js[] = {
#embed "../../web/explore/bucket-table.js"
};

static const unsigned char explore_completion_js[] = {
#embed "../../web/explore/completion.js"
};

static const unsigned char explore_conditions_js[] = {
#embed "../../web/explore/conditions.js"
};

static const unsigned char explore_explain_model_js[] = {
#embed "../../web/explore/explain-model.js"
};

static const unsigned char explore_explain_js[] = {
#embed "../../web/explore/explain.js"
};

static const unsigned char explore_explore_js[] = {
#embed "../../web/explore/explore.js"
};

static const unsigned char explore_facets_js[] = {
#embed "../../web/explore/facets.js"
};

static const unsigned char explore_fault_js[] = {
#embed "../../web/explore/fault.js"
};

static const unsigned char explore_first_span_js[] = {
#embed "../../web/explore/first-span.js"
};

static const unsigned char explore_grid_js[] = {
#embed "../../web/explore/grid.js"
};

static const unsigned char explore_groups_js[] = {
#embed "../../web/explore/groups.js"
};

static const unsigned char explore_heatmap_axes_js[] = {
#embed "../../web/explore/heatmap-axes.js"
};

static const unsigned char explore_heatmap_field_js[] = {
#embed "../../web/explore/heatmap-field.js"
};

static const unsigned char explore_heatmap_model_js[] = {
#embed "../../web/explore/heatmap-model.js"
};

static const unsigned char explore_heatmap_js[] = {
#embed "../../web/explore/heatmap.js"
};

static const unsigned char explore_nothing_js[] = {
#embed "../../web/explore/nothing.js"
};

static const unsigned char explore_one_sample_js[] = {
#embed "../../web/explore/one-sample.js"
};

static const unsigned char explore_pictures_js[] = {
#embed "../../web/explore/pictures.js"
};

static const unsigned char explore_query_bar_js[] = {
#embed "../../web/explore/query-bar.js"
};

static const unsigned char explore_query_text_js[] = {
#embed "../../web/explore/query-text.js"
};

static const unsigned char explore_red_model_js[] = {
#embed "../../web/explore/red-model.js"
};

static const unsigned char explore_red_strip_js[] = {
#embed "../../web/explore/red-strip.js"
};

static const unsigned char explore_results_js[] = {
#embed "../../web/explore/results.js"
};

static const unsigned char explore_samples_js[] = {
#embed "../../web/explore/samples.js"
};

static const unsigned char explore_saved_js[] = {
#embed "../../web/explore/saved.js"
};

static const unsigned char explore_scatter_js[] = {
#embed "../../web/explore/scatter.js"
};

static const unsigned char explore_spans_js[] = {
#embed "../../web/explore/spans.js"
};

static const unsigned char explore_tabs_js[] = {
#embed "../../web/explore/tabs.js"
};

static const unsigned char favicon_svg[] = {
#embed "../../web/favicon.svg"
};

static const unsigned char import_js[] = {
#embed "../../web/import.js"
};

static const unsigned char index_html[] = {
#embed "../../web/index.html"
};

static const unsigned char lib_chart_js[] = {
#embed "../../web/lib/chart.js"
};

static const unsigned char lib_colors_js[] = {
#embed "../../web/lib/colors.js"
};

static const unsigned char lib_event_stream_js[] = {
#embed "../../web/lib/event-stream.js"
};

static const unsigned char lib_format_js[] = {
#embed "../../web/lib/format.js"
};

static const unsigned char lib_icons_js[] = {
#embed "../../web/lib/icons.js"
};

static const unsigned char lib_key_caps_js[] = {
#embed "../../web/lib/key-caps.js"
};

static const unsigned char lib_keys_js[] = {
#embed "../../web/lib/keys.js"
};

static const unsigned char lib_layered_js[] = {
#embed "../../web/lib/layered.js"
};

static const unsigned char lib_popover_js[] = {
#embed "../../web/lib/popover.js"
};

static const unsigned char lib_range_panel_js[] = {
#embed "../../web/lib/range-panel.js"
};

static const unsigned char lib_range_picker_js[] = {
#embed "../../web/lib/range-picker.js"
};

static const unsigned char lib_range_js[] = {
#embed "../../web/lib/range.js"
};

static const unsigned char lib_ranking_js[] = {
#embed "../../web/lib/ranking.js"
};

static const unsigned char lib_rate_js[] = {
#embed "../../web/lib/rate.js"
};

static const unsigned char lib_red_js[] = {
#embed "../../web/lib/red.js"
};

static const unsigned char lib_rows_js[] = {
#embed "../../web/lib/rows.js"
};

static const unsigned char lib_sparkline_js[] = {
#embed "../../web/lib/sparkline.js"
};

static const unsigned char lib_url_js[] = {
#embed "../../web/lib/url.js"
};

static const unsigned char lib_view_js[] = {
#embed "../../web/lib/view.js"
};

static const unsigned char live_css[] = {
#embed "../../web/live.css"
};

static const unsigned char live_list_js[] = {
#embed "../../web/live/list.js"
};

static const unsigned char live_live_js[] = {
#embed "../../web/live/live.js"
};

static const unsigned char live_ring_js[] = {
#embed "../../web/live/ring.js"
};

static const unsigned char map_css[] = {
#embed "../../web/map.css"
};

static const unsigned char map_drawing_js[] = {
#embed "../../web/map/drawing.js"
};

static const unsigned char map_graph_js[] = {
#embed "../../web/map/graph.js"
};

static const unsigned char map_map_js[] = {
#embed "../../web/map/map.js"
};

static const unsigned char map_panel_js[] = {
#embed "../../web/map/panel.js"
};

static const unsigned char map_table_js[] = {
#embed "../../web/map/table.js"
};

static const unsigned char map_trend_js[] = {
#embed "../../web/map/trend.js"
};

static const unsigned char palette_js[] = {
#embed "../../web/palette.js"
};

static const unsigned char pins_js[] = {
#embed "../../web/pins.js"
};

static const unsigned char services_css[] = {
#embed "../../web/services.css"
};

static const unsigned char services_figures_js[] = {
#embed "../../web/services/figures.js"
};

static const unsigned char services_list_page_js[] = {
#embed "../../web/services/list-page.js"
};

static const unsigned char services_parts_js[] = {
#embed "../../web/services/parts.js"
};

static const unsigned char services_sections_js[] = {
#embed "../../web/services/sections.js"
};

static const unsigned char services_service_js[] = {
#embed "../../web/services/service.js"
};

static const unsigned char services_services_js[] = {
#embed "../../web/services/services.js"
};

static const unsigned char services_table_js[] = {
#embed "../../web/services/table.js"
};

static const unsigned char settings_js[] = {
#embed "../../web/settings.js"
};

static const unsigned char shell_dialogs_js[] = {
#embed "../../web/shell-dialogs.js"
};

static const unsigned char shell_js[] = {
#embed "../../web/shell.js"
};

static const unsigned char theme_js[] = {
#embed "../../web/theme.js"
};

static const unsigned char trace_css[] = {
#embed "../../web/trace.css"
};

static const unsigned char trace_absent_js[] = {
#embed "../../web/trace/absent.js"
};

static const unsigned char trace_arrivals_js[] = {
#embed "../../web/trace/arrivals.js"
};

static const unsigned char trace_attributes_js[] = {
#embed "../../web/trace/attributes.js"
};

static const unsigned char trace_collapsed_js[] = {
#embed "../../web/trace/collapsed.js"
};

static const unsigned char trace_conventions_js[] = {
#embed "../../web/trace/conventions.js"
};

static const unsigned char trace_conversation_js[] = {
#embed "../../web/trace/conversation.js"
};

static const unsigned char trace_critical_path_js[] = {
#embed "../../web/trace/critical-path.js"
};

static const unsigned char trace_details_js[] = {
#embed "../../web/trace/details.js"
};

static const unsigned char trace_extras_js[] = {
#embed "../../web/trace/extras.js"
};

static const unsigned char trace_find_js[] = {
#embed "../../web/trace/find.js"
};

static const unsigned char trace_flame_model_js[] = {
#embed "../../web/trace/flame-model.js"
};

static const unsigned char trace_flame_js[] = {
#embed "../../web/trace/flame.js"
};

static const unsigned char trace_folds_js[] = {
#embed "../../web/trace/folds.js"
};

static const unsigned char trace_graph_model_js[] = {
#embed "../../web/trace/graph-model.js"
};

static const unsigned char trace_graph_js[] = {
#embed "../../web/trace/graph.js"
};

static const unsigned char trace_head_js[] = {
#embed "../../web/trace/head.js"
};

static const unsigned char trace_keys_js[] = {
#embed "../../web/trace/keys.js"
};

static const unsigned char trace_kinds_js[] = {
#embed "../../web/trace/kinds.js"
};

static const unsigned char trace_links_js[] = {
#embed "../../web/trace/links.js"
};

static const unsigned char trace_log_records_js[] = {
#embed "../../web/trace/log-records.js"
};

static const unsigned char trace_logs_js[] = {
#embed "../../web/trace/logs.js"
};

static const unsigned char trace_matching_js[] = {
#embed "../../web/trace/matching.js"
};

static const unsigned char trace_merged_js[] = {
#embed "../../web/trace/merged.js"
};

static const unsigned char trace_minimap_js[] = {
#embed "../../web/trace/minimap.js"
};

static const unsigned char trace_model_js[] = {
#embed "../../web/trace/model.js"
};

static const unsigned char trace_moments_js[] = {
#embed "../../web/trace/moments.js"
};

static const unsigned char trace_outline_js[] = {
#embed "../../web/trace/outline.js"
};

static const unsigned char trace_panel_splitter_js[] = {
#embed "../../web/trace/panel-splitter.js"
};

static const unsigned char trace_paths_js[] = {
#embed "../../web/trace/paths.js"
};

static const unsigned char trace_prefixes_js[] = {
#embed "../../web/trace/prefixes.js"
};

static const unsigned char trace_pretty_js[] = {
#embed "../../web/trace/pretty.js"
};

static const unsigned char trace_rank_js[] = {
#embed "../../web/trace/rank.js"
};

static const unsigned char trace_ranking_js[] = {
#embed "../../web/trace/ranking.js"
};

static const unsigned char trace_raw_js[] = {
#embed "../../web/trace/raw.js"
};

static const unsigned char trace_row_js[] = {
#embed "../../web/trace/row.js"
};

static const unsigned char trace_section_js[] = {
#embed "../../web/trace/section.js"
};

static const unsigned char trace_slow_js[] = {
#embed "../../web/trace/slow.js"
};

static const unsigned char trace_span_path_js[] = {
#embed "../../web/trace/span-path.js"
};

static const unsigned char trace_span_store_js[] = {
#embed "../../web/trace/span-store.js"
};

static const unsigned char trace_spoken_js[] = {
#embed "../../web/trace/spoken.js"
};

static const unsigned char trace_statistics_js[] = {
#embed "../../web/trace/statistics.js"
};

static const unsigned char trace_table_js[] = {
#embed "../../web/trace/table.js"
};

static const unsigned char trace_thread_js[] = {
#embed "../../web/trace/thread.js"
};

static const unsigned char trace_trace_menu_js[] = {
#embed "../../web/trace/trace-menu.js"
};

static const unsigned char trace_trace_js[] = {
#embed "../../web/trace/trace.js"
};

static const unsigned char trace_values_js[] = {
#embed "../../web/trace/values.js"
};

static const unsigned char trace_views_js[] = {
#embed "../../web/trace/views.js"
};

static const unsigned char trace_waterfall_js[] = {
#embed "../../web/trace/waterfall.js"
};

static const unsigned char trace_zoom_js[] = {
#embed "../../web/trace/zoom.js"
};

#define FILE(name, array) {name, array, sizeof array}

static const struct skein_web_file files[] = {
    FILE("agents.css", agents_css),
    FILE("agents/agent-graph.js", agents_agent_graph_js),
    FILE("agents/agents.js", agents_agents_js),
    FILE("agents/axis.js", agents_axis_js),
    FILE("agents/below.js", agents_below_js),
    FILE("agents/blocks.js", agents_blocks_js),
    FILE("agents/colors.js", agents_colors_js),
    FILE("agents/compare-model.js", agents_compare_model_js),
    FILE("agents/compare.js", agents_compare_js),
    FILE("agents/context-cost.js", agents_context_cost_js),
    FILE("agents/context.js", agents_context_js),
    FILE("agents/conversation.js", agents_conversation_js),
    FILE("agents/filters.js", agents_filters_js),
    FILE("agents/focus.js", agents_focus_js),
    FILE("agents/follow.js", agents_follow_js),
    FILE("agents/groups.js", agents_groups_js),
    FILE("agents/head.js", agents_head_js),
    FILE("agents/keys.js", agents_keys_js),
    FILE("agents/lane-drawing.js", agents_lane_drawing_js),
    FILE("agents/lanes.js", agents_lanes_js),
    FILE("agents/latency.js", agents_latency_js),
    FILE("agents/left.js", agents_left_js),
    FILE("agents/marks.js", agents_marks_js),
    FILE("agents/orchestration.js", agents_orchestration_js),
    FILE("agents/overview.js", agents_overview_js),
    FILE("agents/path-hops.js", agents_path_hops_js),
    FILE("agents/progress.js", agents_progress_js),
    FILE("agents/session-list.js", agents_session_list_js),
    FILE("agents/session.js", agents_session_js),
    FILE("agents/span-facts.js", agents_span_facts_js),
    FILE("agents/span-panel.js", agents_span_panel_js),
    FILE("agents/step-store.js", agents_step_store_js),
    FILE("agents/steps.js", agents_steps_js),
    FILE("agents/sums.js", agents_sums_js),
    FILE("agents/tables.js", agents_tables_js),
    FILE("agents/time-bar.js", agents_time_bar_js),
    FILE("agents/tool-heat.js", agents_tool_heat_js),
    FILE("agents/tool-table.js", agents_tool_table_js),
    FILE("agents/turns.js", agents_turns_js),
    FILE("agents/words.js", agents_words_js),
    FILE("api-agents.js", api_agents_js),
    FILE("api-more.js", api_more_js),
    FILE("api.js", api_js),
    FILE("app.js", app_js),
    FILE("base.css", base_css),
    FILE("compare.css", compare_css),
    FILE("compare/ask.js", compare_ask_js),
    FILE("compare/attributes.js", compare_attributes_js),
    FILE("compare/compare.js", compare_compare_js),
    FILE("compare/model.js", compare_model_js),
    FILE("compare/sentence.js", compare_sentence_js),
    FILE("compare/tree.js", compare_tree_js),
    FILE("conversation.css", conversation_css),
    FILE("dialogs.css", dialogs_css),
    FILE("explore.css", explore_css),
    FILE("explore/asked.js", explore_asked_js),
    FILE("explore/attribute-picker.js", explore_attribute_picker_js),
    FILE("explore/bucket-table.js", explore_bucket_table_js),
    FILE("explore/completion.js", explore_completion_js),
    FILE("explore/conditions.js", explore_conditions_js),
    FILE("explore/explain-model.js", explore_explain_model_js),
    FILE("explore/explain.js", explore_explain_js),
    FILE("explore/explore.js", explore_explore_js),
    FILE("explore/facets.js", explore_facets_js),
    FILE("explore/fault.js", explore_fault_js),
    FILE("explore/first-span.js", explore_first_span_js),
    FILE("explore/grid.js", explore_grid_js),
    FILE("explore/groups.js", explore_groups_js),
    FILE("explore/heatmap-axes.js", explore_heatmap_axes_js),
    FILE("explore/heatmap-field.js", explore_heatmap_field_js),
    FILE("explore/heatmap-model.js", explore_heatmap_model_js),
    FILE("explore/heatmap.js", explore_heatmap_js),
    FILE("explore/nothing.js", explore_nothing_js),
    FILE("explore/one-sample.js", explore_one_sample_js),
    FILE("explore/pictures.js", explore_pictures_js),
    FILE("explore/query-bar.js", explore_query_bar_js),
    FILE("explore/query-text.js", explore_query_text_js),
    FILE("explore/red-model.js", explore_red_model_js),
    FILE("explore/red-strip.js", explore_red_strip_js),
    FILE("explore/results.js", explore_results_js),
    FILE("explore/samples.js", explore_samples_js),
    FILE("explore/saved.js", explore_saved_js),
    FILE("explore/scatter.js", explore_scatter_js),
    FILE("explore/spans.js", explore_spans_js),
    FILE("explore/tabs.js", explore_tabs_js),
    FILE("favicon.svg", favicon_svg),
    FILE("import.js", import_js),
    FILE("index.html", index_html),
    FILE("lib/chart.js", lib_chart_js),
    FILE("lib/colors.js", lib_colors_js),
    FILE("lib/event-stream.js", lib_event_stream_js),
    FILE("lib/format.js", lib_format_js),
    FILE("lib/icons.js", lib_icons_js),
    FILE("lib/key-caps.js", lib_key_caps_js),
    FILE("lib/keys.js", lib_keys_js),
    FILE("lib/layered.js", lib_layered_js),
    FILE("lib/popover.js", lib_popover_js),
    FILE("lib/range-panel.js", lib_range_panel_js),
    FILE("lib/range-picker.js", lib_range_picker_js),
    FILE("lib/range.js", lib_range_js),
    FILE("lib/ranking.js", lib_ranking_js),
    FILE("lib/rate.js", lib_rate_js),
    FILE("lib/red.js", lib_red_js),
    FILE("lib/rows.js", lib_rows_js),
    FILE("lib/sparkline.js", lib_sparkline_js),
    FILE("lib/url.js", lib_url_js),
    FILE("lib/view.js", lib_view_js),
    FILE("live.css", live_css),
    FILE("live/list.js", live_list_js),
    FILE("live/live.js", live_live_js),
    FILE("live/ring.js", live_ring_js),
    FILE("map.css", map_css),
    FILE("map/drawing.js", map_drawing_js),
    FILE("map/graph.js", map_graph_js),
    FILE("map/map.js", map_map_js),
    FILE("map/panel.js", map_panel_js),
    FILE("map/table.js", map_table_js),
    FILE("map/trend.js", map_trend_js),
    FILE("palette.js", palette_js),
    FILE("pins.js", pins_js),
    FILE("services.css", services_css),
    FILE("services/figures.js", services_figures_js),
    FILE("services/list-page.js", services_list_page_js),
    FILE("services/parts.js", services_parts_js),
    FILE("services/sections.js", services_sections_js),
    FILE("services/service.js", services_service_js),
    FILE("services/services.js", services_services_js),
    FILE("services/table.js", services_table_js),
    FILE("settings.js", settings_js),
    FILE("shell-dialogs.js", shell_dialogs_js),
    FILE("shell.js", shell_js),
    FILE("theme.js", theme_js),
    FILE("trace.css", trace_css),
    FILE("trace/absent.js", trace_absent_js),
    FILE("trace/arrivals.js", trace_arrivals_js),
    FILE("trace/attributes.js", trace_attributes_js),
    FILE("trace/collapsed.js", trace_collapsed_js),
    FILE("trace/conventions.js", trace_conventions_js),
    FILE("trace/conversation.js", trace_conversation_js),
    FILE("trace/critical-path.js", trace_critical_path_js),
    FILE("trace/details.js", trace_details_js),
    FILE("trace/extras.js", trace_extras_js),
    FILE("trace/find.js", trace_find_js),
    FILE("trace/flame-model.js", trace_flame_model_js),
    FILE("trace/flame.js", trace_flame_js),
    FILE("trace/folds.js", trace_folds_js),
    FILE("trace/graph-model.js", trace_graph_model_js),
    FILE("trace/graph.js", trace_graph_js),
    FILE("trace/head.js", trace_head_js),
    FILE("trace/keys.js", trace_keys_js),
    FILE("trace/kinds.js", trace_kinds_js),
    FILE("trace/links.js", trace_links_js),
    FILE("trace/log-records.js", trace_log_records_js),
    FILE("trace/logs.js", trace_logs_js),
    FILE("trace/matching.js", trace_matching_js),
    FILE("trace/merged.js", trace_merged_js),
    FILE("trace/minimap.js", trace_minimap_js),
    FILE("trace/model.js", trace_model_js),
    FILE("trace/moments.js", trace_moments_js),
    FILE("trace/outline.js", trace_outline_js),
    FILE("trace/panel-splitter.js", trace_panel_splitter_js),
    FILE("trace/paths.js", trace_paths_js),
    FILE("trace/prefixes.js", trace_prefixes_js),
    FILE("trace/pretty.js", trace_pretty_js),
    FILE("trace/rank.js", trace_rank_js),
    FILE("trace/ranking.js", trace_ranking_js),
    FILE("trace/raw.js", trace_raw_js),
    FILE("trace/row.js", trace_row_js),
    FILE("trace/section.js", trace_section_js),
    FILE("trace/slow.js", trace_slow_js),
    FILE("trace/span-path.js", trace_span_path_js),
    FILE("trace/span-store.js", trace_span_store_js),
    FILE("trace/spoken.js", trace_spoken_js),
    FILE("trace/statistics.js", trace_statistics_js),
    FILE("trace/table.js", trace_table_js),
    FILE("trace/thread.js", trace_thread_js),
    FILE("trace/trace-menu.js", trace_trace_menu_js),
    FILE("trace/trace.js", trace_trace_js),
    FILE("trace/values.js", trace_values_js),
    FILE("trace/views.js", trace_views_js),
    FILE("trace/waterfall.js", trace_waterfall_js),
    FILE("trace/zoom.js", trace_zoom_js),
};

const struct skein_web_file *skein_web_files(size_t *count) {
    *count = sizeof files / sizeof *files;
    return files;
}
