{# Names the tables that the selected models and tests read and that no sync has made yet. #}
{% macro odoo_tell_missing() %}
    {%- if execute -%}
        {%- set names = {} -%}
        {%- for resource in selected_resources if resource in graph.nodes -%}
            {%- for id in graph.nodes[resource].depends_on.nodes if id in graph.sources -%}
                {%- set table = graph.sources[id] -%}
                {%- if table.package_name == 'odoo' -%}
                    {%- do names.update({table.relation_name | replace("'", "''"): table.name}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if names -%}
            {%- set sql -%}
                SELECT name FROM unnest(ARRAY['{{ names.keys() | join("', '") }}']) AS name WHERE to_regclass(name) IS NULL ORDER BY 1
            {%- endset -%}
            {%- set missing = run_query(sql).columns[0].values() -%}
            {%- if missing -%}
                {%- set tables = [] -%}
                {%- for name in missing -%}{%- do tables.append(names[name | replace("'", "''")]) -%}{%- endfor -%}
                {%- do exceptions.warn(
                    "schema " ~ var('odoo_schema') ~ " has no " ~ tables | join(', ') ~ ". A sync of their entities makes them; to build without: dbt build --exclude source:odoo."
                    ~ tables | join('+ source:odoo.') ~ '+'
                ) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
