# Herdbook: from movies to trajectories with names.
#
#   snakemake --configfile my.yaml --cores all        the experiment of my.yaml
#   snakemake --cores all                             the demo of config/demo.yaml
#   snakemake before_labels --configfile my.yaml --cores all      only the files that `herdbook suggest` needs before there are labels
#   snakemake names --configfile my.yaml --cores all              only who is who; no positions, tables, movies and report
#
# Paths of outputs are relative to the folder of results, which is the working directory.


include: "workflow/rules/common.smk"


workdir: EXPERIMENT.results


report: "workflow/report/workflow.rst"


wildcard_constraints:
    movie="[^/]+",
    recording="[^/]+",
    scene="[^/]+",


if EXPERIMENT.simulate:

    include: "workflow/rules/simulate.smk"


include: "workflow/rules/movies.smk"
include: "workflow/rules/classifier.smk"
include: "workflow/rules/identities.smk"
include: "workflow/rules/results.smk"


if EXPERIMENT.points_apart:

    include: "workflow/rules/points.smk"


if EXPERIMENT.pose:

    include: "workflow/rules/pose.smk"


rule all:
    input:
        tables=[
            at("trajectories.csv"),
            *PLAN.hdf5_table,
            *PLAN.tables,
            *PLAN.tool_files,
        ],
        page=at("report/report.html"),
        movies=PLAN.written_movies,


rule before_labels:
    input:
        tracklets=files("tracklets", MOVIES),
        background=files("background", SCENES),


rule names:
    input:
        identities=files("propagate", RECORDINGS),


onsuccess:
    print(PLAN.closing_message())
